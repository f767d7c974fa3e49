// A text with the search matches marked.
import { parts } from './parts';

export function Marked({ text, query }: { text: string; query: string }) {
  if (!query) return text || ' ';
  return parts(text, query).map(({ text, hit }, index) =>
    hit ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>,
  );
}
