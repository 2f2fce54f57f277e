"""Language models that write patterns for reasons and copy ahead of the requests that use them.

May be imported by `reason_worker` and `training`.
"""
