// Before anything is drawn: what the reader has chosen, else what the system prefers.
const chosen = localStorage.getItem('theme');
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const show = () => {
  const system = prefersDark.matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = localStorage.getItem('theme') ?? system;
};
if (chosen === null) prefersDark.addEventListener('change', show);
show();
