"""A screenshot that was made small is the same picture, as the browser reads it."""

import base64

from tests.browser.conftest import BrowserPage
from tests.browser.png import shrink

BARS = "".join(f"<p style='background:#{shade:02x}8040'>Rp16.800</p>" for shade in range(0, 256, 5))
READ_PIXELS = """async (address) => {
  const image = await createImageBitmap(await (await fetch(address)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, image.width, image.height).data];
}"""


def read_pixels(browser_page: BrowserPage, png: bytes) -> list[int]:
    address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    pixels: list[int] = browser_page.page.evaluate(READ_PIXELS, address)
    return pixels


def test_a_picture_is_smaller_and_looks_the_same(browser_page: BrowserPage) -> None:
    browser_page.page.set_viewport_size({"width": 200, "height": 120})
    browser_page.page.set_content(f"<h1>Rekap</h1>{BARS}")
    taken = browser_page.page.screenshot()
    small = shrink(taken)
    before, after = read_pixels(browser_page, taken), read_pixels(browser_page, small)

    assert len(small) < len(taken)
    assert len(before) == len(after) == 200 * 120 * 4
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) <= 8
