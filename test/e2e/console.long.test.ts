import './console.browser.slow.test.ts';
