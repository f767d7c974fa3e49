// The theme. Its colours make text legible (WCAG 2.2 AA) in both schemes.
import { createTheme, Paper, type MantineColorsTuple } from '@mantine/core';

const lagoon: MantineColorsTuple = [
  '#e6f8fa',
  '#cdeef2',
  '#9fdde5',
  '#6ecbd7',
  '#45bbca',
  '#2aa5b6',
  '#168b9c',
  '#0b7285',
  '#085a69',
  '#06434e',
];

export const theme = createTheme({
  colors: { lagoon },
  primaryColor: 'lagoon',
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  components: { Paper: Paper.extend({ classNames: { root: 'surface' } }) },
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.625rem' }, h2: { fontSize: '1.25rem' }, h3: { fontSize: '1.0625rem' } },
  },
});
