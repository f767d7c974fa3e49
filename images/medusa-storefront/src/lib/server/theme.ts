// The store's colours and logo: a stylesheet that overrides the tokens of app.css and corrects low contrast.
import { createHash } from 'node:crypto';
import { STOREFRONT_SETTINGS } from '$app/env/private';
import type { Settings } from '../../settings.ts';

type Color = [number, number, number];

const parse = (hex: string): Color => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Color;
const write = (color: Color) => `#${color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
const mix = (a: Color, b: Color, share: number) => a.map((part, n) => part + ((b[n] ?? 0) - part) * share) as Color;

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(color: Color): number {
  const [r = 0, g = 0, b = 0] = color.map((part) => {
    const share = Math.round(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: Color, b: Color): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const white: Color = [255, 255, 255];
const black: Color = [0, 0, 0];
const best = (ground: Color) => (contrast(white, ground) >= contrast(black, ground) ? white : black);

/** The first colour between `color` and `goal` whose contrast to every background is at least `least`. */
function until(color: Color, goal: Color, least: number, ...grounds: Color[]): Color {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, goal, share);
    if (grounds.every((ground) => contrast(mixed, ground) >= least)) return mixed;
  }
  return goal;
}

/** The tokens of app.css for one background. `accent` is itself a background; `accent-text` is text in the accent's colour. */
function tokens(paper: Color, ink: Color, accent: Color | undefined): Record<string, string> {
  const tile = mix(paper, ink, 0.05);
  const main = accent ?? ink;
  const written = (color: string) => write(until(parse(color), ink, 4.5, paper, tile));
  const dark = luminance(paper) < luminance(ink);
  return {
    paper: write(paper),
    ink: write(ink),
    soft: write(until(mix(paper, ink, 0.65), ink, 4.5, paper, tile)),
    tile: write(tile),
    line: write(mix(paper, ink, 0.15)),
    'strong-line': write(until(mix(paper, ink, 0.5), ink, 3, paper, tile)),
    accent: write(main),
    'on-accent': write(best(main)),
    'accent-text': write(until(main, ink, 4.5, paper, tile)),
    sale: written(dark ? '#ff8a7f' : '#b3261e'),
    good: written(dark ? '#7bd3a0' : '#1a6b3c'),
  };
}

function sheet({ accent, background, text }: Settings['theme']['colors']): string | undefined {
  if (!accent && !background && !text) return undefined;
  const paper = background ? parse(background) : white;
  const wished = parse(text ?? '#17191c');
  const ink = contrast(wished, paper) >= 4.5 ? wished : best(paper);
  const own = accent ? parse(accent) : undefined;
  const rule = (scheme: string, values: Record<string, string>) => {
    const lines = Object.entries(values).map(([name, value]) => `--${name}:${value}`);
    // `:root` twice, so that the order of the stylesheets does not matter.
    return `:root:root{color-scheme:${scheme};${lines.join(';')}}`;
  };
  const light = rule(luminance(paper) < luminance(ink) ? 'dark' : 'light', tokens(paper, ink, own));
  if (!own) return `@media not (prefers-color-scheme:dark){${light}}`;
  // Dark mode keeps the paper and ink of app.css.
  const night = parse('#131416');
  const bright = until(own, white, 4.5, night);
  const dark = rule('dark', tokens(night, parse('#f1f1ee'), bright));
  return `@media not (prefers-color-scheme:dark){${light}}@media (prefers-color-scheme:dark){${dark}}`;
}

const tagged = <T extends string | Uint8Array>(body: T) => {
  return { body, tag: createHash('sha256').update(body).digest('hex').slice(0, 16) };
};

function made(settings: Settings) {
  const { colors, logo } = settings.theme;
  const css = sheet(colors);
  return {
    settings,
    theme: css === undefined ? undefined : tagged(css),
    logo: logo && { ...tagged(logo.bytes), type: logo.type },
  };
}

let last: ReturnType<typeof made> | undefined;

/** The stylesheet and the logo of the current settings. */
export function appearance() {
  const settings = STOREFRONT_SETTINGS.current;
  if (last?.settings !== settings) last = made(settings);
  return last;
}

/** The Cache-Control of a body. The page may be older, or from a replica with other settings: then its URL has another tag and
 * must not be cached with this body. */
export const caching = (url: URL, tag: string, rule: string) => (url.searchParams.get('v') === tag ? rule : 'no-store');
