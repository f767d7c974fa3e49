// The website of docs/. `run` copies this folder and docs/ beside each other.
import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { defineConfig } from 'vitepress';

const root = resolve(import.meta.dirname, '..');
const repository = 'https://github.com/urumi/urumi';

/** Pages stay links between pages; everything else that a link leads to is in the repository. */
function target(link, page) {
  if (/^([a-z]+:|#|\/)/.test(link)) return link;
  const [path, anchor] = link.split('#');
  const file = resolve(dirname(page), path);
  const inside = relative(`${root}/docs`, file);
  if (!inside.startsWith('..') && file.endsWith('.md') && existsSync(file)) return link.replace('README.md', 'index.md');
  return `${repository}/blob/main/${relative(root, file)}${anchor ? `#${anchor}` : ''}`;
}

function linksOut(md) {
  md.core.ruler.push('links-out', ({ tokens, env }) => {
    for (const token of tokens.flatMap((block) => block.children ?? [])) {
      if (token.type === 'link_open') token.attrSet('href', target(token.attrGet('href'), env.path));
    }
  });
}

function diagrams(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, ...rest) =>
    tokens[index].info.trim() === 'mermaid'
      ? `<Diagram code="${encodeURIComponent(tokens[index].content)}" />`
      : fence(tokens, index, ...rest);
}

const page = ([text, link]) => ({ text, link });
const section = (text, pages) => ({ text, items: pages.map(page) });

export default defineConfig({
  title: 'urumi',
  description: 'Online stores on Kubernetes',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'docs',
  outDir: process.env.SITE_OUT,
  rewrites: { 'README.md': 'index.md', ':folder/README.md': ':folder/index.md' },
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    // The anchors are those of GitHub, so that links work in both places.
    anchor: { slugify: (text) => text.toLowerCase().replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-') },
    config: (md) => {
      linksOut(md);
      diagrams(md);
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    socialLinks: [{ icon: 'github', link: repository }],
    sidebar: [
      section('Start', [
        ['Overview', '/'],
        ['Limitations', '/LIMITATIONS'],
        ['Alternatives', '/COMPARISON'],
        ['Install', '/INSTALL'],
      ]),
      section('Day 2', [
        ['Operations', '/OPERATIONS'],
        ['Security', '/SECURITY'],
        ['Policy', '/POLICY'],
        ['Store images', '/STORE-IMAGES'],
        ['The path of an order', '/ORDERS'],
        ['Sizing', '/SIZING'],
        ['Scaling', '/SCALING'],
        ['Reliability', '/RELIABILITY'],
        ['Benchmarks', '/BENCHMARKS'],
      ]),
      section('Reference', [
        ['Options of a store', '/OPTIONS'],
        ['Command line', '/CLI'],
        ['HTTP API', '/HTTP'],
        ['Problems', '/PROBLEMS'],
        ['Authorization', '/AUTHORIZATION'],
        ['Kubernetes permissions', '/PERMISSIONS'],
      ]),
      section('Design', [
        ['Architecture', '/ARCHITECTURE'],
        ['Decisions', '/decisions/'],
      ]),
    ],
  },
});
