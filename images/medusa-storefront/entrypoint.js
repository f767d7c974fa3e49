// The image's one command: `start` serves the storefront, `prove` checks that a customer would reach the store, and
// `smoke` that one can buy in it.
const word = process.argv[2] ?? 'start';

if (word === 'start') {
  await import('./runtime/serve.js');
} else if (word === 'prove') {
  // Loads nothing of the storefront, so that it starts at once.
  await import('./runtime/prove.js');
} else if (word === 'smoke') {
  await import('./runtime/smoke.js');
} else {
  console.error(`unknown word ${JSON.stringify(word)}\nusage: entrypoint.js [start|prove|smoke]`);
  process.exitCode = 2;
}
