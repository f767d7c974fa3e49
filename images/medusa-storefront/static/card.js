// Controls Stripe's form on the card page. However often the customer submits, it confirms one payment, the page's own, which
// Stripe accepts once. The page at `data-back` shows the result.
(() => {
  const form = document.getElementById('card');
  const trouble = document.getElementById('card-trouble');
  const button = form.querySelector('button');
  const { key, secret, back, language, wait, away, failed, hint, changed } = form.dataset;
  const place = button.textContent;
  /** Stripe has the money, or will have it: the customer must not pay again. */
  const done = (intent) => ['succeeded', 'processing', 'requires_capture'].includes(intent?.status);
  const leave = () => location.replace(back);
  const tell = (text) => {
    trouble.textContent = text;
    trouble.hidden = !text;
  };
  let busy = false;
  const enable = (on) => {
    busy = !on;
    button.disabled = !on;
    button.textContent = on ? place : wait;
  };

  const dark = matchMedia('(prefers-color-scheme: dark)');
  /** The page's colours for Stripe's frame, which is transparent. */
  function appearance() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    const night = style.colorScheme === 'dark' || (dark.matches && style.colorScheme !== 'light');
    return {
      theme: night ? 'night' : 'stripe',
      variables: {
        colorPrimary: token('accent-text'),
        colorBackground: token('paper'),
        colorText: token('ink'),
        colorTextSecondary: token('soft'),
        colorTextPlaceholder: token('soft'),
        colorDanger: token('sale'),
      },
      rules: { '.Input': { border: `1px solid ${token('strong-line')}` } },
    };
  }

  async function begin() {
    if (typeof Stripe !== 'function') return tell(away);
    const stripe = Stripe(key, { locale: language });
    const { paymentIntent } = await stripe.retrievePaymentIntent(secret);
    if (done(paymentIntent)) return leave();
    if (paymentIntent?.status === 'canceled') return tell(changed);
    const elements = stripe.elements({ clientSecret: secret, appearance: appearance() });
    dark.addEventListener('change', () => elements.update({ appearance: appearance() }));
    const element = elements.create('payment');
    element.on('ready', () => enable(true));
    element.on('loaderror', () => tell(away));
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (busy) return;
      enable(false);
      tell('');
      try {
        // Redirects to `back`; returns only on errors.
        const { error } = await stripe.confirmPayment({ elements, confirmParams: { return_url: back } });
        if (!error || done(error.payment_intent)) return leave();
        if (error.payment_intent?.status === 'canceled') return tell(changed);
        if (error.type === 'validation_error') tell(error.message);
        else tell(`${(error.type === 'card_error' && error.message) || failed} ${hint}`);
      } catch {
        // The result is unknown; the shop asks for it.
        return leave();
      }
      enable(true);
    });
    element.mount('#card-form');
  }
  // A page from the back/forward cache may be outdated.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
  busy = true;
  begin().catch(() => tell(away));
})();
