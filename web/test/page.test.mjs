// Opens report pages of many kinds of runs in Debian's Chromium and looks at them as a reader
// would: no error, nothing loaded, charts drawn, dark, on a phone, on paper, under the pointer.
//
//   PLIMSOLL_BIN   where report_pages is (build/release/bin)
//   CHROMIUM       the browser (/usr/bin/chromium)
//   SCREENSHOTS    a directory to keep pictures in; else none are kept
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const programs = process.env.PLIMSOLL_BIN ?? join(root, "build/release/bin");
const maker = join(programs, "report_pages");
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const missing = [maker, executablePath].filter((path) => !existsSync(path));
const skip = missing.length ? `missing: ${missing.join(", ")}` : false;
if (skip) console.error(`page.test: SKIPPED, ${skip}`);

const pictures = process.env.SCREENSHOTS;
const kinds = ["whole", "empty", "nothing", "single", "killed", "censored", "long", "hostile", "streamed"];
let folder = "";
let browser = null;

before(async () => {
    if (skip) return;
    folder = mkdtempSync(join(tmpdir(), "plimsoll-pages-"));
    execFileSync(maker, [folder]);
    if (pictures) mkdirSync(pictures, { recursive: true });
    browser = await chromium.launch({
        executablePath,
        args: [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
});

after(async () => {
    await browser?.close();
    if (folder) rmSync(folder, { recursive: true });
});

// Opens a page; what it complains about, and what it asks the network for, is collected.
async function open(kind, { width = 1280, theme = "light" } = {}) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: theme });
    const faults = [];
    page.on("console", (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => (faults.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
    page.on("request", (request) => {
        if (!request.url().startsWith("file:")) faults.push(`request: ${request.url()}`);
    });
    await page.goto(pathToFileURL(join(folder, `${kind}.html`)).href);
    await page.waitForSelector("html[data-drawn=yes]");
    return { page, faults };
}

async function picture(page, name) {
    if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

// How many different colours each chart's canvas holds: one is a blank canvas.
function coloursOfCharts(page) {
    return page.$$eval("canvas", (canvases) =>
        canvases.map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }),
    );
}

// How many pixels of a chart are near to a colour of the style.
function pixelsOf(page, figure, name) {
    return page.evaluate(
        ([title, colour]) => {
            const found = [...document.querySelectorAll("figure")].find((one) => one.querySelector("h3").textContent === title);
            const canvas = found.querySelector("canvas");
            const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${colour}`).trim();
            const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let at = 0; at < data.length; at += 4)
                if (data[at + 3] > 200 && wanted.every((value, i) => Math.abs(data[at + i] - value) < 40)) count++;
            return count;
        },
        [figure, name],
    );
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

for (const kind of kinds)
    for (const [width, theme] of [[1280, "light"], [390, "dark"]])
        test(`${kind}, ${width} pixels, ${theme}: no fault, no overflow, no NaN`, { skip }, async () => {
            const { page, faults } = await open(kind, { width, theme });
            await picture(page, `${kind}-${width}-${theme}`);
            assert.deepEqual(faults, []);
            assert.ok((await overflow(page)) <= 0, "the page is wider than its window");
            const words = await page.textContent("#page");
            assert.doesNotMatch(words, /NaN|undefined|Infinity|\[object/);
            for (const colours of await coloursOfCharts(page)) assert.ok(colours > 3, "a chart is blank");
            await page.close();
        });

test("the instants and kinds of events stand on one line each", { skip }, async () => {
    const { page } = await open("whole");
    const lines = await page.$$eval('td:is([data-title="at"], [data-title="kind"])', (cells) =>
        cells.map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return range.getClientRects().length;
        }),
    );
    assert.ok(lines.length >= 2, "no events");
    assert.ok(lines.every((count) => count <= 1), `${lines}`);
    await page.close();
});

test("the whole run: twelve charts, their lines drawn, the verdict first", { skip }, async () => {
    const { page } = await open("whole");
    assert.equal(await page.$$eval("canvas", (all) => all.length), 12);
    assert.equal(await page.textContent(".verdict .word"), "PASS");
    assert.match(await page.title(), /^PASS: api-gateway/);
    for (const name of ["p50", "p95", "p99"])
        assert.ok((await pixelsOf(page, "How long did an answer take?", name)) > 80, `${name} is not drawn`);
    assert.ok((await pixelsOf(page, "What share was answered within which time?", "p95")) > 300);
    const run = JSON.parse(readFileSync(join(folder, "whole.json"), "utf8"));
    const row = page.locator("#requests tbody tr").first();
    assert.match(await row.textContent(), new RegExp(run.requests[0].summary.requests.toLocaleString("en-US")));
    await page.close();
});

test("every section says something, and titles do not overlap what is below", { skip }, async () => {
    const { page } = await open("whole");
    const boxes = await page.$$eval("h1, h2, h3, .plot, .table, .figures, .card, pre", (all) =>
        all.filter((one) => !one.closest("details:not([open])")).map((one) => {
            const { left, right, top, bottom } = one.getBoundingClientRect();
            return { left, right, top, bottom, tag: one.tagName + "." + one.className, inside: all.indexOf(one.parentElement.closest(".table, .card")) };
        }),
    );
    for (const [at, one] of boxes.entries())
        for (const other of boxes.slice(at + 1)) {
            if (other.inside >= 0 || one.inside >= 0) continue;
            const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
            assert.ok(across <= 1 || down <= 1, `${one.tag} and ${other.tag} overlap`);
        }
    await page.close();
});

test("resources: a panel a question on the time axis of the load, gaps left open, all in a table", { skip }, async () => {
    const { page, faults } = await open("whole");
    const titles = await page.$$eval("#resources h3", (all) => all.map((one) => one.textContent));
    assert.deepEqual(titles, [
        "How busy were the processors?",
        "How full was memory?",
        "How busy and how full were the GPUs?",
        "What went over the network?",
    ]);
    assert.ok((await pixelsOf(page, "How busy were the processors?", "p95")) > 80);
    await page.click("#resources summary");
    const rows = await page.$$eval("#resources details tbody tr", (all) => all.map((one) => one.textContent));
    assert.equal(rows.length, 4);
    assert.match(rows.find((row) => row.includes("gpu.utilization")), /GPU0.*%/);
    const run = JSON.parse(readFileSync(join(folder, "whole.json"), "utf8"));
    const busy = run.resources.series.find((one) => one.metric === "cpu.busy");
    assert.equal(busy.count, 73, "two looks were missed, and are not there");
    assert.equal(busy.values.length, busy.at_s.length);
    assert.deepEqual(faults, []);
    await page.close();
});

test("answers made of tokens: figures, three charts, tables, what is counted", { skip }, async () => {
    const { page, faults } = await open("streamed");
    const words = await page.innerText("#tokens");
    for (const said of ["Time to first token", "Between tokens", "Output tokens", "Goodput", "counted from usage", "in one burst"])
        assert.ok(words.includes(said), said);
    assert.equal((await page.$$("#tokens canvas")).length, 3);
    assert.ok(!(await page.innerText("#requests")).includes("ttft"), "tokens have a table of their own");
    assert.deepEqual(faults, []);
    await page.close();
    const { page: other } = await open("whole");
    assert.equal(await other.$("#tokens"), null);
    await other.close();
});

test("nothing observed is said, not drawn as zero", { skip }, async () => {
    const { page } = await open("nothing");
    assert.equal(await page.$$eval("canvas", (all) => all.length), 0);
    assert.ok((await page.$$eval(".nothing", (all) => all.length)) >= 6);
    assert.match(await page.textContent(".figures"), /not observed/);
    await page.close();
});

test("dark: by the system, by the button, and the charts with it", { skip }, async () => {
    const { page } = await open("whole", { theme: "dark" });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    assert.equal(await page.getAttribute("html", "data-theme"), "dark");
    await page.click(".theme");
    assert.equal(await page.getAttribute("html", "data-theme"), "light");
    assert.notEqual(await ground(), dark);
    assert.ok((await pixelsOf(page, "How long did an answer take?", "p95")) > 300, "not drawn anew");
    await page.close();
});

test("values under the pointer; zoom by dragging, on all charts; back by a double click", { skip }, async () => {
    const { page, faults } = await open("whole");
    const plots = page.locator("#time .u-over");
    await plots.first().scrollIntoViewIfNeeded();
    await plots.first().hover({ position: { x: 300, y: 80 } });
    const legend = page.locator("#time .u-legend").first();
    assert.match(await legend.textContent(), /p95\s*[\d.,]+ (ms|s)/);
    const other = page.locator("#time .u-legend").nth(1);
    assert.match(await other.textContent(), /requests\s*[\d.,]+\/s/, "the pointer is not shared");
    const box = await plots.first().boundingBox();
    const before = await page.locator("#time canvas").nth(1).evaluate((canvas) => canvas.toDataURL());
    await page.mouse.move(box.x + 200, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + 420, box.y + 80, { steps: 5 });
    await page.mouse.up();
    const zoomed = await page.locator("#time canvas").nth(1).evaluate((canvas) => canvas.toDataURL());
    assert.notEqual(zoomed, before, "the second chart did not follow");
    await page.mouse.dblclick(box.x + 300, box.y + 80);
    await page.mouse.move(5, 5);
    const again = await page.locator("#time canvas").nth(1).evaluate((canvas) => canvas.toDataURL());
    assert.equal(again, before, "the zoom was not taken back");
    assert.deepEqual(faults, []);
    await page.close();
});

test("choosing a request and the log scale draw anew", { skip }, async () => {
    const { page, faults } = await open("whole");
    const shot = () => page.locator("#time canvas").first().evaluate((canvas) => canvas.toDataURL());
    const all = await shot();
    await page.selectOption("#time select", "1");
    const one = await shot();
    assert.notEqual(one, all);
    await page.check("#time input[type=checkbox]");
    assert.notEqual(await shot(), one);
    await page.selectOption("#spread select", "0");
    assert.ok((await pixelsOf(page, "What share was answered within which time?", "p95")) > 300);
    assert.deepEqual(faults, []);
    await page.close();
});

test("words from outside stay words", { skip }, async () => {
    const { page, faults } = await open("hostile");
    assert.equal(await page.$$eval("img", (all) => all.length), 0);
    assert.equal(await page.$$eval("script", (all) => all.length), 2);
    assert.match(await page.textContent("h1"), /<\/script><img src=x onerror=alert\(1\)>/);
    assert.deepEqual(faults, []);
    await page.close();
});

test("on paper: light, charts no wider than the sheet", { skip }, async () => {
    const { page, faults } = await open("whole", { theme: "dark" });
    const printed = await page.pdf({ format: "A4", printBackground: true });
    assert.ok(printed.length > 20000);
    await page.emulateMedia({ media: "print" });
    await page.waitForTimeout(100);
    assert.equal(await page.getAttribute("html", "data-theme"), "light");
    assert.equal(await page.isVisible(".theme"), false);
    assert.deepEqual(faults, []);
    await page.close();
});

test("a policy forbids everything but the page's own script and style", { skip }, async () => {
    const { page } = await open("whole");
    const policy = await page.getAttribute("meta[http-equiv=Content-Security-Policy]", "content");
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/);
    assert.doesNotMatch(policy, /unsafe/);
    const ran = await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return window.ran === true;
    });
    assert.equal(ran, false, "a foreign script ran");
    await page.close();
});
