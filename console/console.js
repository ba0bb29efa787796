const EVERY_MS = 5000;

const element = (id) => document.getElementById(id);
const WORDS = {
  ok: 'everything answers',
  degraded: 'something does not answer',
  draining: 'this gateway is stopping',
  gone: 'the gateway does not answer',
};

element('endpoint').textContent = new URL('mcp', location.href).href;

for (const button of document.querySelectorAll('button[data-copy]')) {
  button.addEventListener('click', () => void copy(button));
}

async function copy(button) {
  await navigator.clipboard.writeText(element(button.dataset.copy).textContent);
  button.textContent = 'Copied';
  setTimeout(() => (button.textContent = 'Copy'), 1500);
}

async function look() {
  try {
    const response = await fetch('health');
    show(await response.json());
  } catch {
    // No answer at all is an answer, too.
    say('gone');
  }
}

function show({ status, profile, namespace, note, dependencies, as_of: asOf }) {
  say(status);
  element('profile').textContent = profile;
  element('namespace').textContent = namespace;
  element('asof').textContent = new Date(asOf).toLocaleTimeString();
  element('note').textContent = note ?? '';
  element('note').hidden = note === undefined;
  element('dependencies').replaceChildren(...Object.entries(dependencies).map(item));
}

function item([name, { status, latency_ms: latency }]) {
  const entry = document.createElement('li');
  entry.dataset.status = status;
  entry.textContent = `${name.replaceAll('_', ' ')} ${status === 'ok' ? `${latency} ms` : 'down'}`;
  return entry;
}

function say(status) {
  element('state').dataset.status = status;
  element('state').textContent = WORDS[status] ?? status;
}

await look();
setInterval(() => void look(), EVERY_MS);
