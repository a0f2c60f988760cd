"""Change feeds for systems that have none: whole reads compared, and watermark columns."""

from connector.endpoints.snapshots.notes import born as born
from connector.endpoints.snapshots.snapshots import Snapshots as Snapshots
from connector.endpoints.snapshots.snapshots import writing as writing
from connector.endpoints.snapshots.source import Batch as Batch
from connector.endpoints.snapshots.source import Mark as Mark
from connector.endpoints.snapshots.source import Marked as Marked
from connector.endpoints.snapshots.source import Source as Source
from connector.endpoints.snapshots.source import Table as Table
from connector.endpoints.snapshots.source import TimedSource as TimedSource
from connector.endpoints.snapshots.source import image_version as image_version
from connector.endpoints.snapshots.watermarks import Watermarks as Watermarks
