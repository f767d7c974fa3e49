// The settings in force: those of the file's last good content.
import { readFileSync, statSync } from 'node:fs';
import { settings, type Settings } from './settings.ts';

/**
 * `current` is read anew if the file at `path` has changed since the last use; without a path it is the defaults. `name` is
 * the shop's name if the file has none.
 *
 * If the file is wrong at first, this throws an error whose message is the end of a sentence. If it is wrong later, the
 * settings stay, and the log says why.
 */
export function live(path: string | undefined, name: string): { readonly current: Settings } {
  if (!path) return { current: settings('{}', name) };
  let current: Settings | undefined;
  let seen: string | undefined;
  let logged: string | undefined;

  const read = (): Settings => {
    try {
      // Kubernetes replaces a file of a ConfigMap by moving a symbolic link to a new file; `stat` follows the link.
      const { ino, ctimeMs, size } = statSync(path);
      const stamp = `${ino} ${ctimeMs} ${size}`;
      if (current && stamp === seen) return current;
      const text = readFileSync(path, 'utf8');
      seen = stamp;
      logged = undefined;
      const next = settings(text, name);
      if (!next.name) throw new Error('where name must be set, because STORE_NAME is not');
      return (current = next);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const wrong = `names ${path}, ${code ? `which cannot be read (${code})` : message}`;
      if (!current) throw new Error(wrong, { cause: error });
      if (wrong !== logged) {
        const message = `STOREFRONT_SETTINGS ${wrong}; the last good settings stay`;
        console.log(JSON.stringify({ time: new Date().toISOString(), level: 'error', message }));
      }
      logged = wrong;
      return current;
    }
  };

  read();
  return {
    get current() {
      return read();
    },
  };
}
