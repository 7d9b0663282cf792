"""What property tests draw from, and how they run: the same examples each time, and no clock."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.hostile import EDGES, HOSTILE

# Slow machines are no failure, and what fails must fail again; fixtures are made once for all examples of a test.
CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
STEADY = settings(derandomize=True, deadline=None, database=None, max_examples=200, suppress_health_check=CALM)
FEW = settings(STEADY, max_examples=60)

invisible = st.characters(categories=["Cc", "Cf", "Cs", "Co", "Mn", "Zl", "Zp", "Zs"])
hostile_texts = st.one_of(
    st.text(),
    st.text(invisible, max_size=20),
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5)), max_size=4).map("".join),
)
# Telegram's own are always this: without halves of characters, which no encoding can write.
written_texts = hostile_texts.map(lambda text: text.encode("utf-8", "ignore").decode())
numbers = st.one_of(st.sampled_from(EDGES), st.integers(-(2**70), 2**70))
