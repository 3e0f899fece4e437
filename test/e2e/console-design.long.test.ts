import './console-design.browser.slow.test.ts';
