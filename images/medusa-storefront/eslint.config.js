// Lint rules: the recommended sets of typescript-eslint and Svelte.
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['.svelte-kit/', 'node_modules/'] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.node } } },
  {
    files: ['**/*.svelte'],
    languageOptions: { parserOptions: { parser: ts.parser } },
    rules: {
      // The storefront always lives at the root of its own host.
      'svelte/no-navigation-without-resolve': 'off',
      // Pages are rendered once, on the server, and never updated.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
);
