"""The text encoders, by name. Each file beside this one holds one.

| name | model | reads | width |
|---|---|---|---|
| `embedded` | all-MiniLM-L6-v2 | English | 384 |
| `multilingual` | Universal Sentence Encoder multilingual v3 | 16 languages | 512 |
| `english` | the two above, blended: for searches in a shopper's own words | English | 896 |
| a folder, or a name on the hub | any sentence-transformers model | as its authors say | as its authors say |
"""

from recsvc.model.text_encoder import TextEncoder

AUTO = "auto"  # training chooses by the catalogue; serving takes the one that the bundle names
EMBEDDED = "embedded"
MULTILINGUAL = "multilingual"
ENGLISH = "english"


def load(name: str) -> TextEncoder:
    """Loads an encoder.

    Args:
        name: "embedded", "multilingual", "english", a folder, or a name on the hub. A hub name needs a network, and
            HF_HUB_OFFLINE unset.

    Raises:
        TextEncoderError: The encoder is not installed or cannot be loaded, or its weights are not the published ones.
    """
    # Each encoder is imported when it is used: the transformers library takes seconds.
    if name == MULTILINGUAL:
        from recsvc.model.text_encoders.multilingual import load_multilingual  # noqa: PLC0415 - see above

        return load_multilingual()
    if name == ENGLISH:
        from recsvc.model.text_encoders.blend import load_english  # noqa: PLC0415 - see above

        return load_english()
    from recsvc.model.text_encoders.sentence_transformer import load_embedded, load_named  # noqa: PLC0415 - see above

    return load_embedded() if name == EMBEDDED else load_named(name)
