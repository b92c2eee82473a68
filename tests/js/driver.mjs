// Drives one real browser for the Python tests: a command as a JSON line in, its answer as a JSON line out.
//
// node driver.mjs chromium|firefox EXECUTABLE. Chromium by the DevTools protocol, Firefox by WebDriver BiDi.
import { createInterface } from "node:readline";
import { readFileSync, statSync } from "node:fs";
import puppeteer from "puppeteer-core";

const [name, executablePath] = process.argv.slice(2);
const AXE = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

const ARGUMENTS = {
  chromium: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-precise-memory-info"],
  firefox: ["--remote-allow-system-access"], // for `inContent`
};

const browser = await puppeteer.launch({
  browser: name === "firefox" ? "firefox" : "chrome",
  protocol: name === "firefox" ? "webDriverBiDi" : "cdp",
  executablePath,
  headless: true,
  args: ARGUMENTS[name],
  // A page may read folders that no picker has shown: `inContent` hands them over.
  extraPrefsFirefox: { "dom.filesystem.pathcheck.disabled": true },
  protocolTimeout: 600_000,
});

const pages = new Map();

const pageOf = (id) => pages.get(id).page;

/** Everything that a page asks for or complains of, from its first byte on. */
function watch(page) {
  const watched = { page, requests: [], errors: [] };
  page.on("request", (request) => watched.requests.push(request.url()));
  page.on("pageerror", (error) => watched.errors.push(String(error?.message ?? error)));
  page.on("console", (message) => {
    if (["error", "warn", "warning"].includes(message.type())) watched.errors.push(message.text());
  });
  return watched;
}

/**
 * Run code in the page's process with Firefox's own rights, where `content` is the page's window. So an input is
 * handed a folder as it is by the picker or a drop: Firefox itself lists it.
 */
async function inContent(page, code) {
  const ask = async (method, params) => {
    const answer = await browser.connection.send(method, params);
    return answer.result ?? answer;
  };
  const { contexts: [{ context }] } = await ask("browsingContext.getTree", { "moz:scope": "chrome" });
  const functionDeclaration = `async () => {
    const tabs = [...Services.wm.getMostRecentWindow("navigator:browser").gBrowser.tabs];
    const { linkedBrowser } = tabs.find((tab) => tab.linkedBrowser.currentURI.spec === ${JSON.stringify(page.url())});
    linkedBrowser.messageManager.loadFrameScript(${JSON.stringify(`data:,${encodeURIComponent(`{${code}}`)}`)}, false);
  }`;
  await ask("script.callFunction", { functionDeclaration, target: { context }, awaitPromise: true });
}

/** Files and folders dropped on an element in Firefox: real entries, in an event made up by the page. */
async function dragInFirefox(page, selector, paths) {
  const listed = paths.map((path) => {
    const kind = statSync(path).isDirectory() ? `new content.Directory` : `await content.File.createFromFileName`;
    return `${kind}(${JSON.stringify(path)})`;
  });
  await inContent(page, `(async () => {
    const input = Object.assign(content.document.createElement("input"), { type: "file", multiple: true, id: "dragged" });
    content.document.body.append(input);
    input.mozSetDndFilesAndDirectories([${listed}]);
  })();`);
  await page.waitForFunction("document.querySelector('#dragged')?.webkitEntries.length");
  await page.evaluate((target) => {
    const input = document.querySelector("#dragged");
    const files = [...input.files];
    const items = [...input.webkitEntries].map((entry) => ({
      kind: "file",
      webkitGetAsEntry: () => entry,
      getAsFile: () => (entry.isFile ? files.find((file) => file.name === entry.name) : null),
    }));
    input.remove();
    const event = new Event("drop", { bubbles: true, cancelable: true });
    document.querySelector(target).dispatchEvent(Object.defineProperty(event, "dataTransfer", { value: { items } }));
  }, selector);
}

const commands = {
  async open({ url, width, height, dark, scripts }) {
    const page = await browser.newPage();
    const id = pages.size + 1;
    pages.set(id, watch(page));
    await page.setViewport({ width, height });
    await shade(page, dark);
    if (!scripts) await page.setJavaScriptEnabled(false);
    await page.goto(url, { waitUntil: "load" });
    return id;
  },
  async goto({ page, url }) {
    await pageOf(page).goto(url, { waitUntil: "load" });
  },
  async size({ page, width, height }) {
    await pageOf(page).setViewport({ width, height });
  },
  async shade({ page, dark }) {
    await shade(pageOf(page), dark);
  },
  async media({ page, type }) {
    await pageOf(page).emulateMediaType(type);
  },
  /** `code`: the body of an async function of `argument`; what it returns must be JSON. */
  async evaluate({ page, code, argument }) {
    return pageOf(page).evaluate(`(async (argument) => {${code}\n})(${JSON.stringify(argument ?? null)})`);
  },
  async wait({ page, code, timeout_s }) {
    await pageOf(page).waitForFunction(code, { timeout: timeout_s * 1000, polling: 50 });
  },
  /** Files, or one folder, picked with an `<input type="file">`. */
  async upload({ page, selector, paths }) {
    if (name === "firefox" && statSync(paths[0]).isDirectory()) {
      const [quoted, path] = [JSON.stringify(selector), JSON.stringify(paths[0])];
      const code = `content.document.querySelector(${quoted}).mozSetDndFilesAndDirectories([new content.Directory(${path})]);`;
      await inContent(pageOf(page), code);
      return;
    }
    const input = await pageOf(page).$(selector);
    await input.uploadFile(...paths);
  },
  /** Files or folders dragged from the desktop and dropped. */
  async drag({ page, selector, paths }) {
    const target = pageOf(page);
    if (name === "firefox") {
      await dragInFirefox(target, selector, paths);
      return;
    }
    const box = await (await target.$(selector)).boundingBox();
    const client = await target.createCDPSession();
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "dragOver", "drop"]) {
      await client.send("Input.dispatchDragEvent", { type, x: box.x + box.width / 2, y: box.y + 20, data });
    }
    await client.detach();
  },
  async press({ page, key }) {
    await pageOf(page).keyboard.press(key);
  },
  async click({ page, selector }) {
    await pageOf(page).click(selector);
  },
  async screenshot({ page, path, whole }) {
    await pageOf(page).screenshot({ path, fullPage: whole });
  },
  async pdf({ page, path }) {
    await pageOf(page).pdf({ path, printBackground: false, preferCSSPageSize: true });
  },
  async requests({ page }) {
    return pages.get(page).requests;
  },
  async errors({ page }) {
    return pages.get(page).errors;
  },
  /** Forget the complaints so far: a test that provokes some looks at them itself. */
  async forget({ page }) {
    pages.get(page).errors.length = 0;
    pages.get(page).requests.length = 0;
  },
  /** What axe-core finds wrong by WCAG 2.2 A and AA. Run outside the page's world where there is one. */
  async axe({ page }) {
    const target = pageOf(page);
    await target.evaluate(AXE);
    return target.evaluate(async () => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
      return violations.map(({ id, help, nodes }) => ({
        id,
        help,
        nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
      }));
    });
  },
  /** Bytes on JavaScript's heap after a collection: Chromium only. */
  async memory({ page }) {
    const client = await pageOf(page).createCDPSession();
    await client.send("HeapProfiler.collectGarbage");
    const { usedSize } = await client.send("Runtime.getHeapUsage");
    await client.detach();
    return usedSize;
  },
  async process() {
    return browser.process().pid;
  },
  async close({ page }) {
    await pageOf(page).close();
  },
};

async function shade(page, dark) {
  const value = dark ? "dark" : "light";
  if (name === "firefox") return; // BiDi has no such command: the test sets `color-scheme` in the page
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
}

const answer = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
answer({ result: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...given } = JSON.parse(line);
  try {
    answer({ result: (await commands[command](given)) ?? null });
  } catch (error) {
    answer({ error: String(error?.stack ?? error) });
  }
}
await browser.close();
