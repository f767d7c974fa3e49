// Splits a text at the search matches.

export interface Part {
  text: string;
  hit: boolean;
}

export function parts(text: string, query: string): Part[] {
  if (!query) return [{ text, hit: false }];
  const pattern = new RegExp(`(${RegExp.escape(query)})`, 'iu');
  return text.split(pattern).flatMap((text, index) => (text ? { text, hit: index % 2 === 1 } : []));
}
