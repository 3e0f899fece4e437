/** Where dialogs and menus are drawn: a named part of the page, so that nothing stands outside of one. */
export function layers(): HTMLElement {
  const known = document.getElementById('layers');
  if (known !== null) return known;
  const made = document.createElement('div');
  made.id = 'layers';
  made.setAttribute('role', 'region');
  made.setAttribute('aria-label', 'Popups');
  document.body.append(made);
  return made;
}
