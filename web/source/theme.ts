// Light and dark: as the system says, until the reader chooses; always light on paper.

import { drawAll } from "./chart";
import { make } from "./dom";

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = matchMedia("print");
let chosen: "light" | "dark" | null = null;

function apply(): void {
    root.dataset.theme = paper.matches ? "light" : (chosen ?? (dark.matches ? "dark" : "light"));
}

export function themeSwitch(): HTMLElement {
    const button = make("button", { type: "button", class: "theme", "aria-label": "Switch between light and dark" });
    const name = (): void => {
        button.textContent = root.dataset.theme === "dark" ? "Light" : "Dark";
    };
    button.addEventListener("click", () => {
        chosen = root.dataset.theme === "dark" ? "light" : "dark";
        apply();
        name();
        drawAll();
    });
    const follow = (): void => {
        apply();
        name();
        drawAll();
    };
    dark.addEventListener("change", follow);
    paper.addEventListener("change", follow);
    apply();
    name();
    return button;
}

// Charts are as wide as their column: they are drawn anew when that changes, and for paper.
export function followSize(): void {
    let width = root.clientWidth;
    new ResizeObserver(() => {
        if (root.clientWidth === width) return;
        width = root.clientWidth;
        drawAll();
    }).observe(root);
    const onPaper = (printing: boolean) => (): void => {
        root.classList.toggle("printing", printing);
        root.dataset.theme = printing ? "light" : root.dataset.theme;
        if (!printing) apply();
        drawAll();
    };
    addEventListener("beforeprint", onPaper(true));
    addEventListener("afterprint", onPaper(false));
}
