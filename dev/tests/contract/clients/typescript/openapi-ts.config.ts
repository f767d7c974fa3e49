import { defineConfig } from '@hey-api/openapi-ts';

// Node runs the compiled client, so its imports have extensions.
export default defineConfig({
  input: process.env.DESCRIPTION!,
  output: { path: 'client', module: { extension: '.js' } },
});
