import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { adminPassword, type Platform } from '../processes/up.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Where a page of the console is looked at. */
export interface View {
  readonly colorScheme: 'light' | 'dark';
  readonly viewport: { readonly width: number; readonly height: number };
}

/** Signs somebody in on the page that asks for it. */
export async function signIn(page: Page, name = 'admin', password = adminPassword): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await signedInAs(page).waitFor();
}

/** Who is signed in, on every page of the console; his menu opens there. */
export const signedInAs = (page: Page, name = '') =>
  page.getByRole('button', { name: new RegExp(`^Signed in as ${name}`) });

/** Signs out whoever is signed in, or nobody but one of that name. */
export async function signOut(page: Page, name?: string): Promise<void> {
  await signedInAs(page, name).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** Looks at what a page shows: no finding of axe, nothing wider than the window; `ISTHMUS_TEST_SHOTS=<folder>` keeps a picture. */
export function looker(page: Page, view: View): (name: string) => Promise<void> {
  return async (name) => {
    const shots = process.env['ISTHMUS_TEST_SHOTS'];
    const { width } = view.viewport;
    await page.evaluate(movedIn);
    if (shots !== undefined)
      await page.screenshot({ path: `${shots}/console-${name}-${width}-${view.colorScheme}.png` });
    assert.deepEqual(await findingsOf(page), [], name);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.ok(Number(overflow) <= 0, `${name} is wider than the window by ${String(overflow)} px`);
  };
}

/** What moves or fades in has come: half of it is nobody's picture, and its colours are none of ours. What moves for ever is let be. */
const movedIn = `Promise.allSettled(document.getAnimations()
  .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
  .map(({ finished }) => finished))`;

/** Rules of WCAG 2.2 AA and best practice that the page breaks. The evaluation is the test's own, so the page's policy does not refuse it. */
async function findingsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run()')) as {
    readonly violations: readonly {
      readonly id: string;
      readonly nodes: readonly { readonly html: string }[];
    }[];
  };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/** Id of the API of a name. */
export async function apiNamed({ client }: Platform, name: string): Promise<string> {
  const { data } = await client.call<{
    readonly data: readonly { readonly id: string; readonly name: string }[];
  }>('GET', '/v2/environments/DEFAULT/apis');
  return data.find((api) => api.name === name)?.id ?? '';
}
