"""The trained model: its bundle on disk, its towers and its text encoders. Training shares it with serving.

May be imported by every room above it and by `training`. It knows no store and no wire type.
"""
