// Stands in for Stripe.js, as far as Stripe documents it and the shop uses it: the Payment Element in a frame of Stripe's
// own origin, confirmPayment that leads to return_url, a bank's question in a frame of hooks.stripe.com.
(() => {
  const API = 'https://api.stripe.com/v1/payment_intents';

  function frame(src, style, parent = document.body) {
    const made = document.createElement('iframe');
    made.src = src;
    // As Stripe.js does: frames are transparent, and light whatever the page is.
    Object.assign(made.style, { border: '0', width: '100%', colorScheme: 'light only', ...style });
    parent.append(made);
    return made;
  }

  /** The next message of this name from a frame. */
  const message = (from, name) =>
    new Promise((resolve) => {
      addEventListener('message', function heard({ source, data }) {
        if (source !== from.contentWindow || data.name !== name) return;
        removeEventListener('message', heard);
        resolve(data);
      });
    });

  window.Stripe = (key, { locale } = {}) => {
    if (!/^pk_(test|live)_\w+$/.test(key)) throw new Error(`not a publishable key: ${key}`);
    const controller = frame('https://controller.js.stripe.com/controller.html', { display: 'none' });
    controller.title = 'controller';

    async function retrievePaymentIntent(secret) {
      const [id] = secret.split('_secret_');
      const answer = await fetch(`${API}/${id}?${new URLSearchParams({ key, client_secret: secret })}`);
      const body = await answer.json();
      return answer.ok ? { paymentIntent: body } : { error: body.error };
    }

    function elements({ clientSecret, appearance = {} }) {
      let inner;
      const self = {
        secret: clientSecret,
        inner: () => inner,
        update(options) {
          appearance = options.appearance ?? appearance;
          inner?.contentWindow.postMessage({ name: 'appearance', appearance }, 'https://js.stripe.com');
        },
        create(kind) {
          if (kind !== 'payment') throw new Error(`no such element: ${kind}`);
          const heard = {};
          const element = {
            on(event, handler) {
              heard[event] = handler;
              return element;
            },
            mount(selector) {
              const place = document.querySelector(selector);
              const given = { key, locale, secret: clientSecret, appearance };
              const hash = encodeURIComponent(JSON.stringify(given));
              inner = frame(`https://js.stripe.com/v3/elements-inner-payment.html#${hash}`, { height: '1px' }, place);
              inner.title = 'Secure payment input frame';
              message(inner, 'ready').then(({ height }) => {
                inner.style.height = `${height}px`;
                heard.ready?.({ elementType: 'payment' });
              });
            },
          };
          return element;
        },
      };
      return self;
    }

    async function confirmPayment({ elements, confirmParams }) {
      const { return_url } = confirmParams;
      if (!/^https?:\/\//.test(return_url)) throw new Error(`not an absolute URL: ${return_url}`);
      const answered = message(elements.inner(), 'confirmed');
      elements.inner().contentWindow.postMessage({ name: 'confirm' }, 'https://js.stripe.com');
      let { intent, error } = await answered;
      if (intent?.status === 'requires_action') {
        const over = { position: 'fixed', inset: '0', height: '100%', zIndex: '2147483647' };
        const challenge = frame(`https://hooks.stripe.com/3d_secure_2/challenge.html#${intent.id}`, over);
        challenge.title = 'Your bank';
        await message(challenge, 'answered');
        challenge.remove();
        ({ paymentIntent: intent } = await retrievePaymentIntent(elements.secret));
        if (intent.status === 'requires_payment_method') error = intent.last_payment_error;
      }
      if (error) return { error };
      const to = new URL(return_url);
      to.searchParams.set('payment_intent', intent.id);
      to.searchParams.set('payment_intent_client_secret', elements.secret);
      to.searchParams.set('redirect_status', 'succeeded');
      location.assign(to);
      return new Promise(() => {});
    }

    return { retrievePaymentIntent, elements, confirmPayment };
  };
})();
