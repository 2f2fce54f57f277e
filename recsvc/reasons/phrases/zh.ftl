# The phrase bank: the best sentences of the lexicon, plain ones first. One message a claim; attributes named
# warm_ are for the warm tone, all others for the neutral one.

repeat_purchase-relational =
    .a = 您之前买过这件商品。
    .b = 您以前买过这件商品。
    .c = 您买过这件商品。
    .warm_a = 您以前买过这件商品。
    .warm_b = 您买过这件商品。

repeat_purchase-relational-many =
    .a = 您买过这件商品{ $times }。
    .b = 您买过{ $times }这件商品。
    .warm_a = 您买过{ $times }这件商品。

repeat_purchase-relational-ago =
    .a = 您{ $ago }买过这件商品。
    .b = 您上次买这件商品是{ $ago }。
    .warm_a = 您上次买这件商品是{ $ago }。

repeat_purchase-relational-many_ago =
    .a = 您买过{ $times }，最近一次是{ $ago }。
    .b = 这件商品您买过{ $times }，最近一次是{ $ago }。
    .warm_a = 这件商品您买过{ $times }，最近一次是{ $ago }。

repeat_interval-relational =
    .a = 您通常约{ $every }买一次这件商品，距上次购买已{ $since }。
    .b = 您通常约{ $every }买一次，距上次购买已{ $since }。
    .c = 您一般约{ $every }买一次这件商品，距上次购买已{ $since }。
    .warm_a = 您通常约{ $every }买一次，距上次购买已{ $since }。
    .warm_b = 您一般约{ $every }买一次这件商品，距上次购买已{ $since }。
    .warm_c = 您一般约{ $every }买一次，距上次购买已{ $since }。

history_item-causal =
    .a = 因为您买过{ $item }，为您推荐这件商品。
    .b = 您买过{ $item }，所以为您推荐这件商品。
    .warm_a = 您买过{ $item }，所以为您推荐这件商品。

history_item-causal-viewed =
    .a = 因为您看过{ $item }，为您推荐这件商品。
    .b = 因为您正在看{ $item }，为您推荐这件商品。
    .warm_a = 因为您正在看{ $item }，为您推荐这件商品。

history_item-causal-cart =
    .a = 因为您的购物车里有{ $item }，为您推荐这件商品。
    .warm_a = 因为您的购物车里有{ $item }，为您推荐这件商品。

history_item-contributory =
    .a = 您买过{ $item }，为您推荐这件商品。
    .b = 您买过{ $item }，也许会喜欢这件商品。
    .c = 您买过{ $item }，也许会中意这件商品。
    .warm_a = 您买过{ $item }，也许会喜欢这件商品。
    .warm_b = 您买过{ $item }，也许会中意这件商品。

history_item-contributory-viewed =
    .a = 您看过{ $item }，为您推荐这件商品。
    .b = 您正在看{ $item }，为您推荐这件商品。
    .warm_a = 您正在看{ $item }，为您推荐这件商品。

history_item-contributory-cart =
    .a = 您的购物车里有{ $item }，为您推荐这件商品。
    .warm_a = 您的购物车里有{ $item }，为您推荐这件商品。

similar_item-relational =
    .a = 您买过{ $item }，这件商品与它相似。
    .b = 您买过{ $item }，这件商品和它相似。
    .c = 这件商品与您买过的{ $item }相似。
    .warm_a = 您买过{ $item }，这件商品和它相似。
    .warm_b = 这件商品与您买过的{ $item }相似。

similar_item-relational-viewed =
    .a = 这件商品与您看过的{ $item }相似。
    .b = 这件商品与您正在看的{ $item }相似。
    .warm_a = 这件商品与您正在看的{ $item }相似。

similar_item-relational-cart =
    .a = 这件商品与您购物车里的{ $item }相似。
    .warm_a = 这件商品与您购物车里的{ $item }相似。

co_purchase-relational =
    .a = 您买过{ $item }，最近{ $period }买过它的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .b = 最近{ $period }和您一样买过{ $item }的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .warm_a = 最近{ $period }和您一样买过{ $item }的{ $people }位顾客中，有{ $count }位也买了这件商品。

co_purchase-relational-viewed =
    .a = 您看过{ $item }，最近{ $period }买过它的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .warm_a = 您看过{ $item }，最近{ $period }买过它的{ $people }位顾客中，有{ $count }位也买了这件商品。

co_purchase-relational-cart =
    .a = 您的购物车里有{ $item }，最近{ $period }买过它的{ $people }位顾客中，有{ $count }位也买了这件商品。
    .warm_a = 您的购物车里有{ $item }，最近{ $period }买过它的{ $people }位顾客中，有{ $count }位也买了这件商品。

history_item-causal-group =
    .a = 因为您买过{ $item }
    .warm_a = 因为您买过{ $item }

history_item-causal-group_viewed =
    .a = 因为您看过{ $item }
    .warm_a = 因为您看过{ $item }

history_item-causal-group_cart =
    .a = 因为您的购物车里有{ $item }
    .warm_a = 因为您的购物车里有{ $item }

history_item-contributory-group =
    .a = 您买过{ $item }，为您推荐
    .warm_a = 您买过{ $item }，为您推荐

history_item-contributory-group_viewed =
    .a = 您看过{ $item }，为您推荐
    .warm_a = 您看过{ $item }，为您推荐

history_item-contributory-group_cart =
    .a = 您的购物车里有{ $item }，为您推荐
    .warm_a = 您的购物车里有{ $item }，为您推荐

similar_item-relational-group =
    .a = 与您买过的{ $item }相似
    .warm_a = 与您买过的{ $item }相似

similar_item-relational-group_viewed =
    .a = 与您看过的{ $item }相似
    .warm_a = 与您看过的{ $item }相似

similar_item-relational-group_cart =
    .a = 与您购物车里的{ $item }相似
    .warm_a = 与您购物车里的{ $item }相似

co_purchase-relational-group =
    .a = 和您一样买过{ $item }的顾客也买了
    .warm_a = 和您一样买过{ $item }的顾客也买了

co_purchase-relational-group_viewed =
    .a = 您看过{ $item }，买过它的顾客也买了
    .warm_a = 您看过{ $item }，买过它的顾客也买了

co_purchase-relational-group_cart =
    .a = 您的购物车里有{ $item }，买过它的顾客也买了
    .warm_a = 您的购物车里有{ $item }，买过它的顾客也买了

brand-relational =
    .a = 您买过{ $times }{ $value }的商品。
    .warm_a = 您买过{ $times }{ $value }的商品。

category-relational =
    .a = 您买过{ $times }{ $value }。
    .warm_a = 您买过{ $times }{ $value }。

category-relational-department =
    .a = 您在{ $value }买过{ $times }。
    .warm_a = 您在{ $value }买过{ $times }。

attribute-relational-colour =
    .a = 您买过{ $times }{ $value }的商品。
    .warm_a = 您买过{ $times }{ $value }的商品。

attribute-relational-material =
    .a = 您买过{ $times }{ $value }材质的商品。
    .warm_a = 您买过{ $times }{ $value }材质的商品。

attribute-relational-style =
    .a = 您买过{ $times }{ $value }风格的商品。
    .warm_a = 您买过{ $times }{ $value }风格的商品。

attribute-relational-use =
    .a = 您买过{ $times }用于{ $value }的商品。
    .warm_a = 您买过{ $times }用于{ $value }的商品。

profile-neutral-likes =
    .a = 您喜欢{ $value }。
    .b = 您说过自己喜欢{ $value }。
    .c = 您说过喜欢{ $value }。
    .warm_a = 您说过自己喜欢{ $value }。
    .warm_b = 您说过喜欢{ $value }。

profile-neutral-mentioned =
    .a = 您的个人资料提到{ $value }。
    .b = 您的个人资料里写着{ $value }。
    .warm_a = 您的个人资料里写着{ $value }。

popularity-neutral =
    .a = 最近{ $period }有{ $count }人买了这件商品。
    .b = 最近{ $period }有{ $count }位顾客买了这件商品。
    .c = 这件商品最近{ $period }有{ $count }人买过。
    .warm_a = 最近{ $period }有{ $count }位顾客买了这件商品。
    .warm_b = 这件商品最近{ $period }有{ $count }人买过。
    .warm_c = 这件商品最近{ $period }有{ $count }位顾客买过。
