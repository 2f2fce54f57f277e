"""The trained model: the bundle, its towers and its text encoders. Training and serving share it.

May be imported by every room above it, and by `training`. It knows no store and no wire type.
"""
