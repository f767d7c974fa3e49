import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The API that `npm run dev` works with.
const api = process.env.URUMI_API_URL ?? 'http://127.0.0.1:8080';
const ofTheApi = ['/stores', '/watch', '/engines', '/whoami', '/openapi.json', '/docs', '/ui/settings.json'];

export default defineConfig({
  base: '/ui/',
  plugins: [tanstackRouter({ target: 'react', autoCodeSplitting: true }), react()],
  // The server replaces it at each answer: the few style elements that components make carry it.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    // Nothing inline: the Content-Security-Policy allows files of our own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Those that know light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
  server: { proxy: Object.fromEntries(ofTheApi.map((path) => [path, { target: api }])) },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
