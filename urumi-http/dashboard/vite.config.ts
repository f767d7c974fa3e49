import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The API for `npm run dev`.
const api = process.env.URUMI_API_URL ?? 'http://127.0.0.1:8080';
const ofTheApi = ['/stores', '/watch', '/engines', '/whoami', '/openapi.json', '/docs', '/ui/settings.json'];

export default defineConfig({
  base: '/ui/',
  plugins: [tanstackRouter({ target: 'react', autoCodeSplitting: true }), react()],
  // The server replaces this nonce in each answer. The few style elements that components create carry it.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    // Nothing inline, because the Content-Security-Policy allows only our own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Browsers that support light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
  server: { proxy: Object.fromEntries(ofTheApi.map((path) => [path, { target: api }])) },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
