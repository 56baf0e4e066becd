// Making elements without markup in strings: what the server says is only ever text here.

type Props = Record<string, string | number | boolean | null | undefined | ((e: any) => void)>;

/** el makes an element; a property "on…" is a listener, the rest are attributes. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  fill(node, props);
  node.append(...children);
  return node;
}

/** svg does the same for the charts. */
export function svg(tag: string, props: Props = {}, ...children: Node[]): SVGElement {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(node, props);
  node.append(...children);
  return node;
}

function fill(node: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** byId finds what index.html promises. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html lacks #${id}`);
  return node as T;
}

/** text changes a node's words only where they differ, so that nothing is laid out in vain. */
export function text(node: Element, words: string): void {
  if (node.textContent !== words) node.textContent = words;
}

/** attr changes an attribute only where it differs. */
export function attr(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** light starts the glow of elements again from the beginning. */
export function light(...nodes: Element[]): void {
  for (const n of nodes) n.classList.remove("lit");
  // Lays out once for all of them, so that their animations start anew.
  nodes[0]?.getBoundingClientRect();
  for (const n of nodes) n.classList.add("lit");
}

/**
 * painter gives a function that asks for a paint: at most one each everyMs, in an animation
 * frame, and none while nobody looks.
 */
export function painter(paint: () => void, everyMs: () => number): () => void {
  let waiting = false;
  let last = -Infinity;
  const run = () => {
    waiting = false;
    last = performance.now();
    paint();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    const wait = last + everyMs() - performance.now();
    if (wait > 0) setTimeout(() => requestAnimationFrame(run), wait);
    else requestAnimationFrame(run);
  };
}
