"""The prompt is shown word for word. A long one opens without taking space from the videos."""

import pytest
from playwright.sync_api import expect

from catalog.models import Pair, Prompt, Video
from tests import factories
from tests.browser.working import is_ready

LINES = "Scene 1: a cat\n\tScene 2:   a dog\n\n  No text."
LONG = "\n".join(f"Scene {number}: a red ball rolls past a painted mark, and stops." for number in range(1, 41))
#: Prompts of the kinds that other tools show wrongly, with the language that the manifest states.
PROMPTS = {
    "lines": (LINES, "en"),
    "spaces": ("The sign reads “A   B”", "en"),
    "arabic": ("قطة تقفز فوق GPU في 4K (30fps).", "ar"),
    "override": ("show file \u202egpj.exe\u202c now", "en"),
    "japanese": ("直径の大きい骨と海、今日の朝", "ja"),
    "marks": ("Z" + "\u0300\u0301\u0302\u0303\u0304\u0305\u0306" * 12 + "algo in a window", "en"),
}
SIZES = {
    "wide": {"width": 1280, "height": 720},
    "low": {"width": 1366, "height": 600},
    "zoomed": {"width": 640, "height": 360},  # 1280 × 720 at 200 %
    "phone": {"width": 390, "height": 844},
}
BUTTON = 'button[data-action="prompt"]'
SCREENS = "[data-screen]"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", show_video_text=True)


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    def open_it(text, **options):
        [pair] = playable_pairs(study, 1)
        pair.prompt.text = text
        pair.prompt.save()
        return is_ready(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))

    return open_it


def boxes(page, selector):
    return [one.bounding_box() for one in page.locator(selector).all()]


def is_word_for_word(place, text):
    """Return whether an element has the exact text, draws its spaces and line ends, and has a direction of its own."""
    looks = place.evaluate(
        "element => { const { whiteSpace, unicodeBidi } = getComputedStyle(element);"
        " return [element.textContent, whiteSpace, element.dir, unicodeBidi] }"
    )
    return looks == [text, "pre-wrap", "auto", "plaintext"]


@pytest.mark.long
def test_a_prompt_and_a_text_of_a_video_are_shown_word_for_word(workspace):
    page = workspace(LINES)
    prompt = page.locator("[data-prompt]")
    expect(page.locator(BUTTON)).to_be_visible()  # four lines do not fit into two
    for name, (text, language) in PROMPTS.items():
        Prompt.objects.update(text=text, language=language)
        Video.objects.filter(pk=Pair.objects.get().video_0_id).update(video_text=f"{text}\nmore", refined_by="one")
        is_ready(page.reload() and page)
        assert is_word_for_word(prompt, text), name
        assert prompt.get_attribute("lang") == language
        given = page.locator("[data-video-text]", has_text="more")
        assert is_word_for_word(given, f"{text}\nmore"), name
        assert given.get_attribute("lang") == language
        direction, overflow = prompt.evaluate(
            "element => [getComputedStyle(element).direction, getComputedStyle(element).overflow]"
        )
        assert direction == ("rtl" if name == "arabic" else "ltr")
        assert overflow in ("hidden", "clip"), "piled marks would be painted over the bar and the videos"


@pytest.mark.parametrize(
    "size", [name if name == next(iter(SIZES)) else pytest.param(name, marks=pytest.mark.long) for name in SIZES]
)
@pytest.mark.long
def test_a_long_prompt_opens_and_the_videos_keep_their_place(workspace, size):
    page = workspace(LONG, viewport=SIZES[size])
    prompt = page.locator("[data-prompt]")
    before = boxes(page, SCREENS)
    page.keyboard.press("p")
    expect(page.locator(BUTTON)).to_have_attribute("aria-expanded", "true")
    after = boxes(page, SCREENS)
    assert [(box["width"], box["height"]) for box in after] == [(box["width"], box["height"]) for box in before]
    shown = prompt.bounding_box()
    assert shown["height"] > 60, "more than two lines are in sight"
    assert all(shown["y"] + shown["height"] <= box["y"] for box in after), "the prompt lies over the videos"
    assert all(box["y"] + box["height"] <= SIZES[size]["height"] for box in after) or size == "zoomed"
    assert prompt.evaluate("element => element.scrollHeight > element.clientHeight")
    prompt.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "() => { const { scrollTop, scrollHeight, clientHeight } = document.querySelector('[data-prompt]');"
        " return scrollTop + clientHeight >= scrollHeight - 1 }"
    )
    page.keyboard.press("f")  # single keys still work
    expect(page.locator("[data-questions] input:checked")).to_have_count(1)
    page.keyboard.press("p")
    expect(page.locator(BUTTON)).to_have_attribute("aria-expanded", "false")
    assert boxes(page, SCREENS) == before or SIZES[size]["width"] < 961


@pytest.mark.long
def test_an_open_prompt_leaves_the_question_in_sight_and_stays_open_for_the_next_pair(workspace, study, playable_pairs):
    page = workspace(LONG)
    page.locator(BUTTON).click()
    question = page.locator("fieldset[data-current]").bounding_box()
    foot = page.locator(".foot").bounding_box()
    assert question["y"] + question["height"] <= foot["y"]
    page.reload()
    is_ready(page)
    expect(page.locator(BUTTON)).to_have_attribute("aria-expanded", "true")


@pytest.mark.long
def test_a_short_prompt_has_nothing_to_open(workspace):
    page = workspace("A red ball")
    expect(page.locator(BUTTON)).to_be_hidden()
    page.keyboard.press("p")
    expect(page.locator(".prompt")).not_to_have_attribute("data-open", "")


@pytest.mark.long
def test_other_pages_show_prompts_word_for_word_too(open_page, study, annotator, researcher):
    factories.pairs(study, 1)
    pair = factories.answer(annotator, study).pair
    pair.prompt.text, pair.prompt.language = LINES, "ja"
    pair.prompt.save()
    library = f"/studies/{study.slug}/library"
    places = {
        (f"/studies/{study.slug}/my-work/", annotator): ".own-prompt",
        (f"{library}/prompts/{pair.prompt.public_id}/", researcher): "blockquote",
        (f"{library}/pairs/{pair.public_id}/", researcher): ".of-prompt a",
        (f"{library}/", researcher): ".words a",
    }
    for (address, person), place in places.items():
        page = open_page(address, person)
        assert is_word_for_word(page.locator(place).first, LINES), address
        assert page.locator(place).first.get_attribute("lang") == "ja"
        page.context.close()
