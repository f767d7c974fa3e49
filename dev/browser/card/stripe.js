// What the tests serve in place of https://js.stripe.com/clover/stripe.js: as much of Stripe's documented interface as the
// shop uses. The card is entered in a frame of Stripe's origin, and its API is asked at https://api.stripe.com.
window.Stripe = (key) => {
  const id = (secret) => secret.split('_secret_')[0];
  const ask = async (method, path, fields) => {
    const text = new URLSearchParams({ key, ...fields });
    const url = `https://api.stripe.com/v1/payment_intents/${path}`;
    const answer = method === 'GET' ? await fetch(`${url}?${text}`) : await fetch(url, { method, body: text });
    return answer.json();
  };
  return {
    retrievePaymentIntent: async (secret) => ({
      paymentIntent: await ask('GET', id(secret), { client_secret: secret }),
    }),
    elements: ({ clientSecret }) => {
      const frame = document.createElement('iframe');
      const listeners = {};
      return {
        secret: clientSecret,
        create: (kind) => ({
          on: (event, listener) => (listeners[event] = listener),
          mount(selector) {
            if (kind !== 'payment') throw new Error(`there is no element ${kind} here`);
            frame.title = 'Secure payment input frame';
            frame.src = 'https://js.stripe.com/v3/elements-inner-payment.html';
            frame.addEventListener('load', () => listeners.ready?.());
            document.querySelector(selector).append(frame);
          },
        }),
        number: () =>
          new Promise((resolve) => {
            addEventListener('message', ({ origin, data }) => origin === 'https://js.stripe.com' && resolve(data), { once: true });
            frame.contentWindow.postMessage('number', 'https://js.stripe.com');
          }),
      };
    },
    confirmPayment: async ({ elements, confirmParams: { return_url } }) => {
      const number = (await elements.number()).replaceAll(' ', '');
      if (number.length !== 16) {
        return { error: { type: 'validation_error', code: 'incomplete_number', message: 'Your card number is incomplete.' } };
      }
      const secret = elements.secret;
      const answer = await ask('POST', `${id(secret)}/confirm`, { client_secret: secret, return_url, number });
      if (answer.error) return answer;
      const back = new URL(return_url);
      back.searchParams.set('payment_intent', id(secret));
      back.searchParams.set('payment_intent_client_secret', secret);
      back.searchParams.set('redirect_status', 'succeeded');
      location.assign(back);
      // The page is left.
      return new Promise(() => {});
    },
  };
};
