"""The sandbox: uploads are read in processes that can do nothing else."""

from egide.sandbox.pool import Pool, PoolState, SandboxLimits

__all__ = ["Pool", "PoolState", "SandboxLimits"]
