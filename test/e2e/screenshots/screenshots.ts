import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser, type TestBrowser } from '../../kit/browser/browser.ts';
import { signIn } from '../../kit/browser/console.ts';
import { startPlatform, type Platform } from '../../kit/processes/up.ts';
import { furnish, type Furnished } from './furnish.ts';
import { screensOf } from './screens.ts';

/*
 * `npm run screenshots [-- <folder> [<part of a name>]]`: a picture of every screen of the console, light and dark, 1440 and 390 wide, of a
 * platform with samples and what furnish.ts adds to it. Nothing is compared: they are to be looked at, and four of them stand in the README.
 */

const root = resolve(import.meta.dirname, '../../..');
const [folder = join(root, 'screenshots'), part = ''] = process.argv.slice(2);
const viewports = [
  { width: 1_440, height: 900 },
  { width: 390, height: 844 },
] as const;
const schemes = ['light', 'dark'] as const;
/** How long a picture waits for what its page asks; pages that follow a stream are never quiet. */
const quietMsMax = 1_500;

async function main(): Promise<void> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.push(end) };
  execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], { stdio: 'inherit' });
  mkdirSync(folder, { recursive: true });
  try {
    const browser = await startBrowser(t);
    const platform = await startPlatform(t, { args: ['--samples'] });
    const furnished = await furnish(platform);
    for (const colorScheme of schemes)
      for (const viewport of viewports)
        await picture({ browser, platform, furnished, colorScheme, viewport });
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

interface Sitting {
  readonly browser: TestBrowser;
  readonly platform: Platform;
  readonly furnished: Furnished;
  readonly colorScheme: (typeof schemes)[number];
  readonly viewport: (typeof viewports)[number];
}

async function picture({ browser, platform, furnished, colorScheme, viewport }: Sitting): Promise<void> {
  const page = await browser.open({
    origin: platform.management,
    path: '/console/',
    isRefused: true,
    colorScheme,
    viewport,
  });
  const shoot = async (name: string): Promise<void> => {
    if (!name.includes(part)) return;
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}-${viewport.width}-${colorScheme}.png`) });
  };
  await shoot('sign-in');
  await signIn(page);
  for (const { name, path, act } of screensOf(furnished)) {
    if (!name.includes(part)) continue;
    await page.goto(`/console${path}`);
    if (act !== undefined) {
      // What is done, keys too, is heard once the page stands.
      await settled(page);
      await act(page);
    }
    await shoot(name);
  }
  await page.context().close();
}

/** Until the page stands and asks nothing, but for streams, which never end, and fonts are there. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor();
  await page.waitForLoadState('networkidle', { timeout: quietMsMax }).catch(() => undefined);
  await page.evaluate('document.fonts.ready');
}

await main();
