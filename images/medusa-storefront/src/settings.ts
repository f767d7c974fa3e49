// The storefront's settings: the content of the optional JSON file of STOREFRONT_SETTINGS, checked strictly.
import * as v from 'valibot';
import { languages } from './lib/texts/index.ts';

/** The maximum size of the decoded picture in bytes; urumi's `storefront.theme.logo` has the same limit. */
const LOGO_LIMIT = 32 * 1024;

const object = <T extends v.ObjectEntries>(entries: T) => {
  return v.pipe(
    v.unknown(),
    // Valibot accepts a list as an object.
    v.check((value) => !Array.isArray(value), 'must be an object'),
    v.strictObject(entries, ({ expected }) => (expected === 'never' ? 'is not known' : 'must be an object')),
  );
};
const one = <const T extends string[]>(...words: T) => v.picklist(words, `must be one of ${words.join(', ')}`);
const text = v.pipe(v.string('must be a text'), v.trim(), v.minLength(1, 'must not be empty'));
const color = v.pipe(
  v.string('must be a colour like #1f2a37'),
  v.regex(/^#[0-9a-f]{6}$/i, 'must be a colour like #1f2a37'),
);
/** A path of the shop, or an https URL; neither `javascript:` nor `//host`. */
const link = (href: string) => /^\/(?![/\\])/.test(href) || (/^https:\/\//.test(href) && URL.canParse(href));

const wrongLogo = 'must be a data:image/…;base64, address of a PNG, JPEG, WebP or SVG picture';
const logo = v.pipe(
  v.string(wrongLogo),
  v.regex(/^data:image\/(?:png|jpeg|webp|svg\+xml);base64,[a-z0-9+/]+={0,2}$/i, wrongLogo),
  v.transform((text) => {
    const [head = '', body = ''] = text.split(';base64,');
    return { type: head.slice('data:'.length), bytes: Uint8Array.from(Buffer.from(body, 'base64')) };
  }),
  v.check(
    ({ bytes }) => bytes.length <= LOGO_LIMIT,
    ({ input }) => `must be a picture of at most ${LOGO_LIMIT} bytes (32 KiB), and has ${input.bytes.length}`,
  ),
);

const schema = object({
  name: v.optional(text),
  theme: v.optional(
    object({
      logo: v.optional(logo),
      colors: v.optional(
        object({ accent: v.optional(color), background: v.optional(color), text: v.optional(color) }),
        {},
      ),
    }),
    {},
  ),
  locale: v.optional(one(...languages), 'en'),
  currency: v.optional(
    v.pipe(
      v.string('must be a currency code like eur'),
      v.regex(/^[a-z]{3}$/i, 'must be a currency code like eur'),
      v.toUpperCase(),
    ),
  ),
  footerLinks: v.optional(
    v.pipe(
      v.array(
        object({
          label: text,
          href: v.pipe(
            v.string('must be an https:// address or a /path'),
            v.check(link, 'must be an https:// address or a /path'),
          ),
        }),
        'must be a list',
      ),
      v.maxLength(20, 'must have at most 20 links'),
    ),
    [],
  ),
  robots: v.optional(one('index', 'noindex'), 'index'),
  manualPayment: v.optional(one('test', 'invoice', 'cash'), 'test'),
});

export type Settings = v.InferOutput<typeof schema> & { name: string };

/** The settings in the text of a file; `name` is the shop's name if the text has none. Throws an error whose message is the
 * end of a sentence. */
export function settings(text: string, name: string): Settings {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error('which is not JSON', { cause });
  }
  const result = v.safeParse(schema, content);
  if (result.success) return { ...result.output, name: result.output.name ?? name };
  const [issue] = result.issues;
  throw new Error(`where ${v.getDotPath(issue) ?? 'the content'} ${issue.message}`);
}
