// Shows that a form is being sent, and prevents a second submission. Forms work without this script.
const restore = () => {
  for (const button of document.querySelectorAll('button[data-text]')) {
    button.textContent = button.dataset.text;
    button.disabled = false;
    delete button.dataset.text;
  }
};
addEventListener('submit', ({ target }) => {
  const button = target.querySelector('button[data-wait]');
  // After the browser has collected the form's data.
  if (button)
    setTimeout(() => {
      button.dataset.text = button.textContent;
      button.textContent = button.dataset.wait;
      button.disabled = true;
    });
});
// The back button may restore the page in its last state.
addEventListener('pageshow', restore);
