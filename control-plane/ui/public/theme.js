// Before anything is drawn: what the reader has chosen, else what the system prefers.
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const show = () => {
  const system = prefersDark.matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = localStorage.getItem('theme') ?? system;
};
prefersDark.addEventListener('change', show);
document.documentElement.dataset.density = localStorage.getItem('density') ?? 'comfortable';
show();
