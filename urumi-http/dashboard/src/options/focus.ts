// Moves the focus to an element that may not be rendered yet.

/** Moves the focus as soon as its element exists. */
export function focusSoon(find: () => HTMLElement | null, tries = 30) {
  setTimeout(() => {
    const element = find();
    if (element) {
      element.focus();
      element.scrollIntoView({ block: 'center' });
    } else if (tries > 0) focusSoon(find, tries - 1);
  }, 20);
}
