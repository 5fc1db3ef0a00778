// Keeps a page up to date while somebody looks at it. Everything works without this.
const root = document.documentElement;
root.classList.add('js');

const main = document.querySelector('main[data-stream]');
const state = document.querySelector('#live-state');
const lines = document.querySelector('#lines[data-after]');
const events = document.querySelector('#events[data-newest]');
// What the page holds of a log, or of events; older ones are a click away.
const MOST_LINES = 500;
const MOST_EVENTS = 300;

function say(words, live) {
  if (!state) return;
  state.textContent = words;
  state.classList.toggle('live', live);
}

function made(html) {
  const box = document.createElement('template');
  box.innerHTML = html;
  // What is made for many has no token; this page's is put in.
  for (const field of box.content.querySelectorAll('input[name=token]')) field.value = main?.dataset.token ?? '';
  return box.content;
}

// A part is not taken from under somebody's fingers: not while it has the focus, and not while
// something in it is pressed. What came meanwhile is put in its place afterwards.
const waiting = new Map();
let pressed;

function isInUse(part) {
  const focused = document.activeElement;
  return (focused !== document.body && part.contains(focused)) || (pressed && part.contains(pressed));
}

function later() {
  // After the click that a press becomes, and the focus that it moves.
  setTimeout(() => {
    const parts = [...waiting];
    waiting.clear();
    for (const [id, html] of parts) mendPart(id, html);
  }, 60);
}

addEventListener('pointerdown', (event) => { pressed = event.target; }, true);
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => { setTimeout(() => { pressed = undefined; later(); }, 0); }, true);
addEventListener('focusout', later, true);

// Known entries change where they are; the list does not move under the pointer.
function mendRows(list, fresh) {
  let left = false;
  for (const row of [...fresh.children]) {
    const known = row.id && document.getElementById(row.id);
    if (!known || !list.contains(known) || same(known, row)) continue;
    if (isInUse(known)) { left = true; continue; }
    const ticked = known.querySelector('input[type=checkbox]')?.checked;
    const box = row.querySelector('input[type=checkbox]');
    if (box && ticked) box.checked = true;
    known.replaceWith(row);
  }
  return left;
}

const bare = (part) => part.outerHTML.replace(/(name="token" value=")[^"]*/g, '$1');
const same = (known, fresh) => bare(known) === bare(fresh);

function mendPart(id, html) {
  const fresh = made(html).firstElementChild;
  if (!fresh) return;
  const part = document.getElementById(fresh.id || id);
  if (!part) return;
  if (part.hasAttribute('data-rows')) {
    if (mendRows(part, fresh)) waiting.set(id, html);
    return;
  }
  if (isInUse(part)) {
    waiting.set(id, html);
    return;
  }
  if (same(part, fresh)) return;
  for (const fold of part.querySelectorAll('details[id]')) {
    const other = fresh.querySelector(`#${CSS.escape(fold.id)}`);
    if (other) other.open = fold.open;
  }
  const scrolled = part.querySelector('.graph')?.scrollLeft;
  part.replaceWith(fresh);
  const graph = fresh.querySelector('.graph');
  if (scrolled && graph) graph.scrollLeft = scrolled;
  sortable(fresh);
}

// Entries that are not there yet.
function unknown(html) {
  const fresh = made(html);
  for (const entry of [...fresh.children]) if (document.getElementById(entry.id)) entry.remove();
  return fresh;
}

function append({ html }, last) {
  const box = lines.parentElement;
  const isAtEnd = Math.abs(box.scrollTop) < 4;
  document.getElementById('no-lines')?.remove();
  lines.append(unknown(html));
  lines.dataset.after = last;
  // Somebody who reads further up keeps what is there.
  while (isAtEnd && lines.children.length > MOST_LINES) lines.firstElementChild.remove();
}

function prepend({ html }, last) {
  const fresh = unknown(html);
  events.dataset.newest = last;
  if (!fresh.children.length) return;
  document.getElementById('no-events')?.remove();
  events.prepend(fresh);
  while (events.children.length > MOST_EVENTS && !isInUse(events.lastElementChild)) events.lastElementChild.remove();
}

let stream;
let again;

function open() {
  clearTimeout(again);
  const address = new URL(main.dataset.stream, location.href);
  if (lines) address.searchParams.set('after', lines.dataset.after);
  if (events) address.searchParams.set('after', events.dataset.newest);
  stream = new EventSource(address);
  stream.addEventListener('open', () => say('Live', true));
  stream.addEventListener('parts', (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      waiting.delete(id);
      mendPart(id, html);
    }
  });
  if (lines) stream.addEventListener('log', (event) => append(JSON.parse(event.data), event.lastEventId));
  if (events) stream.addEventListener('events', (event) => prepend(JSON.parse(event.data), event.lastEventId));
  stream.addEventListener('error', () => {
    say(`Not live since ${new Date().toLocaleTimeString()}`, false);
    // A browser that was refused does not ask again by itself.
    if (stream.readyState === EventSource.CLOSED) again = setTimeout(open, 3000);
  });
}

function close() {
  clearTimeout(again);
  stream?.close();
  stream = undefined;
}

if (main) {
  // A tab that nobody looks at costs nothing.
  const follow = () => (document.hidden ? close() : stream || open());
  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', close);
  addEventListener('pageshow', follow);
  follow();
}

// Older lines come where they belong, without another page.
lines?.addEventListener('click', async (event) => {
  const link = event.target.closest('.skipped a');
  if (!link || !link.href.includes('before=')) return;
  event.preventDefault();
  const answer = await fetch(link.href);
  const page = made(await answer.text());
  const older = page.querySelector('#lines');
  if (!older) return;
  for (const line of older.querySelectorAll('.skipped')) {
    if (!line.querySelector('a')?.href.includes('before=')) line.remove();
  }
  link.closest('li').replaceWith(...older.children);
});

// Tables whose rows are all there are sorted by what is in a column.
function value(row, place) {
  const cell = row.cells[place];
  const time = cell?.querySelector('time')?.dateTime;
  const text = cell?.textContent.trim() ?? '';
  return { text: time ?? text, number: time ? NaN : parseFloat(text.replace(/,/g, '')) };
}

function sort(table, head, place) {
  const falls = head.getAttribute('aria-sort') === 'ascending';
  for (const other of head.parentElement.cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, ...value(row, place) }));
  const byNumber = rows.every((it) => !Number.isNaN(it.number) || !it.text);
  rows.sort((a, b) => (byNumber ? (a.number || 0) - (b.number || 0) : a.text.localeCompare(b.text)) * (falls ? -1 : 1));
  table.tBodies[0].append(...rows.map((it) => it.row));
}

function sortable(part) {
  for (const table of part.querySelectorAll('table[data-sorts]')) {
    [...(table.tHead?.rows[0]?.cells ?? [])].forEach((head, place) => {
      if (!head.textContent.trim()) return;
      const button = document.createElement('button');
      button.className = 'sort';
      button.append(...head.childNodes);
      button.addEventListener('click', () => sort(table, head, place));
      head.append(button);
    });
  }
}

// Times are the reader's own, and the exact one is still said on hover.
function local(part) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of part.querySelectorAll('time[title]')) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime()) && !time.title.includes('\n')) time.title += `\n${at.toLocaleString()} ${zone}`;
  }
}

addEventListener('pointerover', (event) => {
  const time = event.target.closest?.('time[title]');
  if (time) local(time.parentElement);
}, { passive: true });
sortable(document);
