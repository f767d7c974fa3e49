// Texts cut to a length, with the end marked.

/** At most `limit` UTF-16 units of a text, and never half a character. */
export function cut(text: string, limit: number): string {
  return text.length > limit
    ? `${text
        .slice(0, limit - 1)
        .replace(/[\ud800-\udbff]$/, '')
        .trimEnd()}…`
    : text;
}
