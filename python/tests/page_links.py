"""What a page would fetch, and whether its tags close: for tests of pages that carry all they show."""

from html.parser import HTMLParser

WITHOUT_END = ("meta",)  # HTML's void tags, of those that pages have


class PageLinks(HTMLParser):
    """`fetched`: what the page names to be fetched; `open`, `unbalanced`: tags that do not close, or close another."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.unbalanced = [], [], []

    def handle_starttag(self, tag, attributes):
        self.fetched += [value for key, value in attributes if key in ("src", "href")]
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.fetched += [value for key, value in attributes if key in ("src", "href")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)
