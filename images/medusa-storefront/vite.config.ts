// How the storefront is built: server-rendered pages for Node, with nothing of any store in them.
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter({ out: '.svelte-kit/node' }),
      // Only our own origin, and nothing inline: SvelteKit adds a nonce to what it has to inline itself.
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
      // The same sources give the same build.
      version: { name: '0.1.0' },
    }),
  ],
});
