"""Plain hashes: only of values that nobody can try out; the plain hash of a short value can be reversed."""

from tests.support.source_tree import find_matching_imports, parse_modules

# The values that a module hashes without a key of ours, or with another's.
PLAIN = {
    "chalicelib/channels/odk/forms.py": "forms and files that devices get whole",
    "chalicelib/channels/whatsapp/signatures.py": "Meta's signature, with its secret as the key",
    "chalicelib/clients/service.py": "a token has 256 random bits",
    "chalicelib/crypto/hashing.py": "the keyed hash itself",
    "chalicelib/deliveries/model.py": "a keyed hash of an address, with the ids of a campaign day",
    "chalicelib/devices/bundle.py": "a document that devices get whole",
    "chalicelib/enrolments/model.py": "digits that end a kiosk's mode, with a salt and many iterations",
    "chalicelib/exports/store.py": "rows without personal data, to sort and to check a file",
    "chalicelib/http/etags.py": "an answer that its reader has whole",
    "chalicelib/http/routes.py": "the script and the style of a page",
    "chalicelib/messaging/routing.py": "the id of an SMS, to choose a gateway; the hash is not kept",
    "chalicelib/messaging/twilio_callbacks.py": "Twilio's signature, with its token as the key",
    "chalicelib/notifications/sms_ids.py": "the ids of earlier releases, to find their rows; none is stored",
    "chalicelib/reviews/model.py": "ids that stand in the item, or keyed hashes",
    "chalicelib/rollups/model.py": "figures, which stand beside their hash",
    "chalicelib/rollups/renderings/board.py": "the script and the style of a page",
    "chalicelib/web/site.py": "files that everybody may fetch",
}


def test_only_values_that_nobody_can_try_out_are_hashed_without_a_key() -> None:
    hashing = {path for path, tree in parse_modules().items() if find_matching_imports(tree, "hashlib")}
    assert hashing == set(PLAIN)
