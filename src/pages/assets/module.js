// Keeps a page up to date while somebody looks at it. Everything works without this.
const root = document.documentElement;
root.classList.add('js');

const main = document.querySelector('main[data-stream]');
const state = document.querySelector('#live-state');
const lines = document.querySelector('#lines[data-after]');
// What the page holds of a log; older lines are a click away.
const MOST_LINES = 500;

function say(words, live) {
  if (!state) return;
  state.textContent = words;
  state.classList.toggle('live', live);
}

function made(html) {
  const box = document.createElement('template');
  box.innerHTML = html;
  return box.content;
}

// A part is not taken from under somebody's fingers.
const isInUse = (part) => part.contains(document.activeElement) && document.activeElement !== document.body;

function mend(row, fresh) {
  const ticked = row.querySelector('input[type=checkbox]')?.checked;
  const box = fresh.querySelector('input[type=checkbox]');
  if (box && ticked) box.checked = true;
  row.replaceWith(fresh);
}

// Known rows change where they are; the list does not move under the pointer.
function mendRows(list, fresh) {
  for (const row of fresh.querySelectorAll('tr[id]')) {
    const known = document.getElementById(row.id);
    if (known && list.contains(known) && !isInUse(known) && known.outerHTML !== row.outerHTML) mend(known, row);
  }
}

function mendPart(id, html) {
  const fresh = made(html).firstElementChild;
  if (!fresh) return;
  const part = document.getElementById(fresh.id || id);
  if (!part) return;
  if (part.hasAttribute('data-rows')) return mendRows(part, fresh);
  if (isInUse(part)) return;
  for (const fold of part.querySelectorAll('details[id]')) {
    const other = fresh.querySelector(`#${CSS.escape(fold.id)}`);
    if (other) other.open = fold.open;
  }
  const scrolled = part.querySelector('.graph')?.scrollLeft;
  part.replaceWith(fresh);
  if (scrolled) fresh.querySelector('.graph').scrollLeft = scrolled;
}

function append({ html }, last) {
  const box = lines.parentElement;
  const isAtEnd = Math.abs(box.scrollTop) < 4;
  document.getElementById('no-lines')?.remove();
  const fresh = made(html);
  for (const line of [...fresh.children]) if (document.getElementById(line.id)) line.remove();
  lines.append(fresh);
  lines.dataset.after = last;
  // Somebody who reads further up keeps what is there.
  while (isAtEnd && lines.children.length > MOST_LINES) lines.firstElementChild.remove();
}

let stream;
let again;

function open() {
  clearTimeout(again);
  const address = new URL(main.dataset.stream, location.href);
  if (lines) address.searchParams.set('after', lines.dataset.after);
  stream = new EventSource(address);
  stream.addEventListener('open', () => say('Live', true));
  stream.addEventListener('parts', (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) mendPart(id, html);
  });
  if (lines) stream.addEventListener('log', (event) => append(JSON.parse(event.data), event.lastEventId));
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
