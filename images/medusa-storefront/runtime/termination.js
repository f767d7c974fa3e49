// Ends the process with one sentence for people: on stderr, and where Kubernetes shows why a container ended.
import { closeSync, openSync, writeSync } from 'node:fs';

/** @param {string} text */
export function lastWords(text) {
  try {
    // Without O_CREAT: the file is there when Kubernetes mounted it, and nowhere else.
    const file = openSync(process.env.TERMINATION_LOG || '/dev/termination-log', 'r+');
    writeSync(file, text);
    closeSync(file);
  } catch {
    // Not under Kubernetes, or not writable: whoever calls says it elsewhere too.
  }
}

/**
 * @param {string} sentence
 * @param {number} code exit code
 * @returns {never}
 */
export function end(sentence, code) {
  lastWords(sentence);
  writeSync(2, `${sentence}\n`);
  process.exit(code);
}
