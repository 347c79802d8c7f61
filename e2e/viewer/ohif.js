// Opens the study list and a series in OHIF, and looks at what is shown. OHIF_URL is where the viewer is, STUDY the study that it must show, and
// SCREENSHOT the file for a picture of the page.
import { chromium } from 'playwright-core';

const { OHIF_URL, STUDY, SCREENSHOT, CHROMIUM } = process.env;
const check = (name, good, detail = '') => {
  if (!good) throw new Error(`${name}: ${detail}`);
  console.log(`ok ${name}`);
};

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
  ],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
try {
  const failures = [];
  const said = [];
  page.on('console', m => { if (m.type() === 'error') said.push(m.text().slice(0, 300)); });
  page.on('response', r => { if (r.url().includes('/dicom/') && r.status() >= 400) failures.push(`${r.status()} ${r.url()}`); });

  await page.goto(OHIF_URL, { waitUntil: 'domcontentloaded' });
  await page.getByText('Invented', { exact: false }).first().waitFor({ timeout: 60000 });
  check('the study list shows the patient', true);

  const canvas = page.locator('canvas.cornerstone-canvas, .cornerstone-viewport-element canvas, .viewport-element canvas').first();

  // The middle of the canvas is looked at until an image is on it: a slice has many greys, and an empty viewport one. Nearer to its edges are words and
  // messages, whose letters have many, too.
  const greys = async () => {
    const { x, y, width, height } = await canvas.boundingBox();
    const middle = { x: x + width / 4, y: y + height / 4, width: width / 2, height: height / 2 };
    const png = (await page.screenshot({ clip: middle })).toString('base64');
    return page.evaluate(async data => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
      c.drawImage(bitmap, 0, 0);
      const pixels = c.getImageData(0, 0, bitmap.width, bitmap.height).data;
      const seen = new Set();
      for (let i = 0; i < pixels.length; i += 4) if (pixels[i] === pixels[i + 1] && pixels[i] === pixels[i + 2]) seen.add(pixels[i]);
      return seen.size;
    }, png);
  };
  // A browser that draws by software on a busy machine may lose its canvas for good. Whoever sits before it loads the page again.
  let seen = 0;
  for (let loads = 0; loads < 3 && seen < 100; loads++) {
    await page.goto(`${OHIF_URL}/viewer?StudyInstanceUIDs=${STUDY}`, { waitUntil: 'domcontentloaded' });
    await canvas.waitFor({ timeout: 90000 });
    for (let i = 0; i < 30 && seen < 100; i++) {
      await page.waitForTimeout(1000);
      seen = await greys();
    }
  }
  check('the viewport shows the image', seen >= 100, `${seen} greys; the console says: ${said.join('; ')}`);
  check('no request to the service failed', failures.length === 0, failures.join(', '));
} finally {
  // A picture is most wanted of what went wrong; that there is none must not hide why.
  await page.screenshot({ path: SCREENSHOT, timeout: 10000 }).catch(e => console.error(`no picture: ${e.message}`));
  await browser.close();
}
