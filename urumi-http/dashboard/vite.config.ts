import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The API for `npm run dev`.
const api = process.env.URUMI_API_URL ?? 'http://127.0.0.1:8080';
const ofTheApi = [
  '/stores',
  '/watch',
  '/engines',
  '/whoami',
  '/version',
  '/openapi.json',
  '/openapi.yaml',
  '/docs',
  '/ui/settings.json',
];

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
    // Few files for the first pages: the headers of an answer are larger than an icon, and small files compress badly.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'icons', test: /@tabler[\\/]icons-react/ },
            {
              name: 'controls',
              test: /components[\\/](Alert|Badge|Button|Chip|Image|Input|InputBase|NativeSelect|Skeleton|TextInput|ThemeIcon|Title|Transition)[\\/]/,
            },
            { name: 'data', test: /@tanstack[\\/](react-query|query-core)[\\/]|src[\\/](api|live)[\\/]/ },
            {
              name: 'router',
              test: /@tanstack[\\/](history|react-router|react-store|router-core|store)[\\/]/,
            },
          ],
        },
      },
    },
  },
  server: { proxy: Object.fromEntries(ofTheApi.map((path) => [path, { target: api }])) },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
