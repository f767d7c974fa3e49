// The image's entry point: `start` serves the storefront, `prove` checks that customers can reach the store, and `smoke`
// that they can buy in it.
const word = process.argv[2] ?? 'start';

if (word === 'start') {
  await import('./runtime/serve.js');
} else if (word === 'prove') {
  // Loads no part of the storefront, so it starts at once.
  await import('./runtime/prove.js');
} else if (word === 'smoke') {
  await import('./runtime/smoke.js');
} else {
  console.error(`unknown word ${JSON.stringify(word)}\nusage: entrypoint.js [start|prove|smoke]`);
  process.exitCode = 2;
}
