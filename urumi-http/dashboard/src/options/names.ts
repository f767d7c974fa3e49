// Options with the labels of their inputs.
import { humanize } from './schema';

/** `database.secret.name`: Database › Secret › Name. */
export function optionName(path: string): string {
  return path.split('.').map(spoken).join(' › ');
}

/** `footerLinks[0]`, counted from one: Footer links 1. */
function spoken(key: string): string {
  // A variable's name is no word.
  if (/^[A-Z][A-Z0-9_]*$/.test(key)) return key;
  return humanize(key.replace(/\[(\d+)\]/, (_, index) => ` ${Number(index) + 1}`));
}
