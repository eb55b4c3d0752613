// Elements made from text only: nothing that came from a run is ever parsed as markup.

export type Child = Node | string | null | undefined | false;

export function make<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Record<string, string> = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const child of children) if (child) element.append(child);
    return element;
}

// A section of the page: its title is the question that it answers.
export function section(id: string, title: string, ...children: Child[]): HTMLElement {
    return make("section", { id }, make("h2", {}, title), ...children);
}

export interface Column {
    title: string;
    number?: boolean;
}

export interface Cell {
    text: string;
    tone?: string;
    hint?: string;
}

// A table whose rows become cards on a phone: each cell carries its column's title for that.
export function table(columns: Column[], rows: (string | Cell)[][], caption: string): HTMLElement {
    const head = make("tr");
    for (const column of columns)
        head.append(make("th", { scope: "col", class: column.number ? "number" : "" }, column.title));
    const body = make("tbody");
    for (const row of rows) body.append(tableRow(columns, row));
    return make(
        "div",
        { class: "table" },
        make("table", {}, make("caption", {}, caption), make("thead", {}, head), body),
    );
}

function tableRow(columns: Column[], row: (string | Cell)[]): HTMLElement {
    const line = make("tr");
    row.forEach((entry, at) => {
        const cell = typeof entry === "string" ? { text: entry } : entry;
        const column = columns[at];
        const names = [column?.number ? "number" : "", cell.tone ?? ""].join(" ").trim();
        const attributes: Record<string, string> = { class: names, "data-title": column?.title ?? "" };
        if (cell.hint) attributes.title = cell.hint;
        line.append(
            at === 0
                ? make("th", { ...attributes, scope: "row" }, cell.text)
                : make("td", attributes, cell.text),
        );
    });
    return line;
}

// A figure in large type: what it is, how much, and a word on it.
export interface Figure {
    title: string;
    value: string;
    under: string;
    tone?: string;
}

function figureOf(figure: Figure): HTMLElement {
    return make(
        "div",
        { class: "figure" },
        make("p", { class: "what" }, figure.title),
        make("p", { class: `value ${figure.tone ?? ""}` }, figure.value),
        make("p", { class: "under" }, figure.under),
    );
}

export function figuresOf(all: Figure[]): HTMLElement {
    return make("div", { class: "figures" }, ...all.map(figureOf));
}
