// The build of the storefront: server-rendered pages for Node, without any store's values.
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter({ out: '.svelte-kit/node' }),
      // Only our own origin, and nothing inline; SvelteKit adds a nonce to its own inline code.
      csp: {
        mode: 'auto',
        directives: {
          'default-src': ['self'],
          'object-src': ['none'],
          'base-uri': ['none'],
          'form-action': ['self'],
          'frame-ancestors': ['none'],
        },
      },
      // Makes the build reproducible.
      version: { name: '0.1.0' },
    }),
  ],
});
