// Shows that a form is on its way, and keeps it from being sent twice by impatience. Everything works without.
const restore = () => {
  for (const button of document.querySelectorAll('button[data-text]')) {
    button.textContent = button.dataset.text;
    button.disabled = false;
    delete button.dataset.text;
  }
};
addEventListener('submit', ({ target }) => {
  const button = target.querySelector('button[data-wait]');
  // After the form's data has been collected.
  if (button)
    setTimeout(() => {
      button.dataset.text = button.textContent;
      button.textContent = button.dataset.wait;
      button.disabled = true;
    });
});
// Whoever comes back finds the page as it was left.
addEventListener('pageshow', restore);
