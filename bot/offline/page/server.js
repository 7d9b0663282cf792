// How the page talks to the server: as people do, under /people/.

/** Posts JSON; returns the answer. Throws an Error with the server's own words. */
export async function post(what, body) {
  const response = await fetch(`/people/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer(response);
}

export async function get(what, query = {}) {
  return answer(await fetch(`/people/${what}?${new URLSearchParams(query)}`));
}

async function answer(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? response.statusText);
  return body;
}

/** Calls `onEvent` for every event, and `onConnection(true|false)` when the stream comes and goes. Never gives up. */
export function listen(onEvent, onConnection) {
  const source = new EventSource("/people/events");
  source.onopen = () => onConnection(true);
  source.onmessage = (message) => onEvent(JSON.parse(message.data));
  source.onerror = () => {
    onConnection(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(onEvent, onConnection), 1000);
  };
}
