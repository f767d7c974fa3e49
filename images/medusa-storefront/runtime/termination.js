// Ends the process with one sentence, on stderr and in the termination log, which Kubernetes shows.
import { closeSync, openSync, writeSync } from 'node:fs';

/** @param {string} text */
export function lastWords(text) {
  try {
    // Without O_CREAT: the file exists only if Kubernetes has mounted it.
    const file = openSync(process.env.TERMINATION_LOG || '/dev/termination-log', 'r+');
    writeSync(file, text);
    closeSync(file);
  } catch {
    // Not under Kubernetes, or not writable. The caller reports the text elsewhere too.
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
